// What a visitor should know about a result that was computed in this browser, as `messages.py` says it.

const MANY_FACES = 12;

export function resultMessages({ faces, notices, unavailable, faces_left_out: leftOut }, { models, baseline }) {
  const titleOf = (name) => models[name]?.title ?? name;
  const sentences = [...notices];
  for (const [name, why] of Object.entries(unavailable)) sentences.push(`${titleOf(name)} is left out: ${why}`);
  const isNoticed = faces.length === 1 && Object.keys(faces[0].models).length > 0;
  for (const name of new Set(faces.flatMap(({ missing }) => Object.keys(missing)))) {
    if (name === baseline && isNoticed) continue;
    const without = faces.flatMap(({ missing }, at) => (name in missing ? [at + 1] : []));
    const numbers = faces.length > 1 ? ` (face ${without.join(", ")} of ${faces.length})` : "";
    sentences.push(`${titleOf(name)}: ${faces[without[0] - 1].missing[name]}${numbers}.`);
  }
  if (faces.length >= MANY_FACES && !leftOut) {
    sentences.push(`${faces.length} faces found; pick one under “View” to look closer.`);
  }
  return sentences;
}
