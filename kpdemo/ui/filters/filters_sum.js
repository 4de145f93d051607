// Passes the server's sums on to the page's kernels.

import { publish } from "./sums.js";

export default function mount({ props, watch }) {
  watch("value", () => publish(props.value ? JSON.parse(props.value) : null));
}
