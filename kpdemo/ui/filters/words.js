// A layer and its kernels in words.

import { plural } from "../shared/common.js";

export const formatNumber = (value) => (value ? Number(value.toPrecision(2)).toString().replace("-", "−") : "0");

export function aboutLayer(data) {
  const reads = data.readsPicture
    ? `the photo, ${data.inputs === 3 ? "in colour" : "in grey"}`
    : `the ${plural(data.inputs, "map")} of what comes before`;
  const shown =
    data.kernel[0] * data.kernel[1] === 1
      ? " A kernel of one cell only mixes its inputs: each cell of its picture is the weight of one."
      : data.inputs > 1 && data.shape[0] === 1
        ? " Shown is each kernel’s strongest input; a click shows the others."
        : "";
  const step = data.transposed ? `enlarges ${data.stride} times` : `stride ${data.stride}`;
  return `${data.title}, ${data.layer}: ${data.size}, ${step}, reading ${reads}.${shown}`;
}

export function rankOf({ strengths }, k) {
  const rank = strengths.filter((value) => value > strengths[k]).length + 1;
  return rank === 1
    ? "the strongest"
    : `${rank}${rank % 100 > 10 && rank % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][rank % 10] ?? "th")}`;
}

// How to read this kind of kernel and, after it, its map.
export function reading(data, k) {
  if (!data.answers) return pattern(data);
  if (data.points) {
    return `${pattern(data)} The redder a cell of the map, the more it speaks for the point ${data.points[k]}.`;
  }
  return `${pattern(data)} On the map, red cells are above zero, and those a layer usually hands on; blue ones are below, and usually end here as zero.`;
}

function pattern(data) {
  if (data.transposed) {
    return `This layer enlarges: every cell of its inputs writes this pattern into a map ${data.stride} times as large.`;
  }
  if (data.readsPicture && data.inputs === 3) {
    return "The kernel responds strongly where the photo has its colours in its pattern; mid grey cells do not count.";
  }
  if (data.readsPicture) {
    return "The kernel responds strongly where the photo is bright under its red cells and dark under its blue ones; white cells do not count.";
  }
  if (data.kernel[0] * data.kernel[1] === 1) {
    return "The kernel looks at one place only and adds up its inputs there: red ones count for it, blue ones against.";
  }
  return "The kernel has such a pattern for each of its inputs, which are maps and no longer the photo, and adds up what all of them find.";
}
