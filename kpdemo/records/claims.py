"""Claims of the systems' reports, and what our own check of them says."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Claim:
    """A claim of a system's authors, our `check` of it, its `figures` in words, and the verdict."""

    claim: str
    check: str
    verdict: str
    because: str
    figures: tuple[str, ...]


def parse_claims(data: Any) -> dict[str, list[Claim]]:
    """The claims in a `results.json`, by system; systems without claims are left out."""
    claims = {
        row["name"]: [
            Claim(
                claim=claim["claim"],
                check=claim["check"],
                verdict=claim["verdict"],
                because=claim["because"],
                figures=tuple(f"{each['what']} {each['text']}" for each in claim["figures"]),
            )
            for claim in row.get("claims") or ()
        ]
        for row in data["models"]
    }
    return {name: listed for name, listed in claims.items() if listed}
