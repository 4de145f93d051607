// Edited points as files. Points are the photo's, counted from 0, as in our JSON; `.pts` counts from 1.

const DECIMALS = 3;

export const PTS_MARKUP = "ibug-68";

export const toPts = (points) =>
  [
    "version: 1",
    `n_points: ${points.length}`,
    "{",
    ...points.map((at) => at.map((number) => (number + 1).toFixed(DECIMALS)).join(" ")),
    "}",
    "",
  ].join("\n");

// `faces` are {box, source, markup, points}. One set of points has one markup.
export function toJson({ width, height }, faces) {
  const several = new Set(faces.map(({ markup }) => markup)).size > 1;
  return JSON.stringify({
    photo: { width, height },
    faces: faces.map(({ box, source, markup, points }) => ({
      box,
      models: {
        [several ? `edited ${markup}` : "edited"]: {
          markup,
          keypoints: points.map((at) => at.map(rounded)),
          edited_from: source,
        },
      },
    })),
  });
}

const rounded = (number) => (number === null ? null : Number(number.toFixed(DECIMALS)));
