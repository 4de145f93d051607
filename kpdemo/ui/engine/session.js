/** The least severe of ONNX Runtime's messages that the console shows. */
export const ERRORS = 3;

/**
 * Start ONNX Runtime in this worker.
 * @param {{module: string, folder: string, wasm: ArrayBuffer}} runtime Addresses of its module and of
 *   the folder of its loader, and its WebAssembly.
 */
export async function start({ module, folder, wasm }) {
  const ort = await import(module);
  ort.env.wasm.wasmPaths = folder;
  ort.env.wasm.wasmBinary = wasm;
  // More threads would need headers that an embedded page cannot have; each net has its own worker.
  ort.env.wasm.numThreads = 1;
  return ort;
}
