/**
 * The engine in the browser: faces, nets and MediaPipe on a picture that never leaves the device.
 */

/**
 * What opening the engine would load.
 * @param {{base: string, models?: string[], backend?: "webgpu" | "wasm"}} options
 * @returns {Promise<{backend: string, bytes: number, files: Record<string, number>}>}
 */
export async function size(_options) {
  throw new Error("The engine in the browser is not built yet.");
}

/**
 * Load the models; rejects with one sentence for the user where nothing can run.
 * @param {{base: string, models?: string[], backend?: "webgpu" | "wasm",
 *   progress?: (state: {file: string, loaded: number, total: number}) => void}} options
 * @returns {Promise<{backend: string, models: string[], unavailable: Record<string, string>,
 *   compare: Function, follow: Function, close: () => void}>}
 */
export async function open(_options) {
  throw new Error("The engine in the browser is not built yet.");
}
