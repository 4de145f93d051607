/**
 * Calls from the page to a worker, and from a worker to the page while it works.
 */

/**
 * Answer the page's calls with these functions, one at a time, in their order.
 * @param {Record<string, (argument: any, tell: (news: any) => void) => Promise<any>>} functions
 */
export function serve(functions) {
  let last = Promise.resolve();
  self.addEventListener("message", ({ data: { id, name, argument } }) => {
    last = last.then(async () => {
      try {
        const result = await functions[name](argument, (news) => self.postMessage({ id, news }));
        self.postMessage({ id, result });
      } catch (error) {
        self.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
      }
    });
  });
}

/** A module worker whose functions the page calls. */
export class Service {
  /** @param {Worker} worker */
  constructor(worker) {
    this.worker = worker;
    this.count = 0;
    /** @type {string | null} Why it has ended. */
    this.ended = null;
    /** @type {Map<number, {resolve: Function, reject: Function, tell?: (news: any) => void}>} */
    this.calls = new Map();
    worker.addEventListener("message", ({ data: { id, news, result, error } }) => {
      const call = this.calls.get(id);
      if (!call) return;
      if (news !== undefined) return call.tell?.(news);
      this.calls.delete(id);
      if (error === undefined) call.resolve(result);
      else call.reject(new Error(error));
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.end(event.message || "a script could not be loaded");
    });
  }

  /**
   * @param {string} name
   * @param {any} argument
   * @param {Transferable[]} [transfer]
   * @param {(news: any) => void} [tell]
   * @returns {Promise<any>}
   */
  call(name, argument, transfer = [], tell = undefined) {
    if (this.ended !== null) return Promise.reject(new Error(this.ended));
    this.count += 1;
    const id = this.count;
    return new Promise((resolve, reject) => {
      this.calls.set(id, { resolve, reject, tell });
      this.worker.postMessage({ id, name, argument }, transfer);
    });
  }

  /**
   * Stop the worker; calls that it has not answered fail.
   * @param {string} [reason]
   */
  end(reason = "the engine was closed") {
    this.ended ??= reason;
    this.worker.terminate();
    for (const { reject } of this.calls.values()) reject(new Error(reason));
    this.calls.clear();
  }
}
