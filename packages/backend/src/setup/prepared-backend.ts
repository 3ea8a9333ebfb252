/** Options of `setupBackend`. */
export interface SetupOptions {
  /** Folder or files of the wasm binaries, where the ones that come with the package are not to be used. */
  wasmPaths?: string | Record<string, string>;
  /**
   * Threads of wasm in a cross-origin isolated browser, by default and at most half of the cores and 8; of TensorFlow in
   * Node, by default one per core.
   */
  threads?: number;
}

/** A backend that has been made current. */
export interface PreparedBackend {
  /** Name under which TensorFlow.js knows it. */
  name: string;
  threads?: number;
  /** What speaks for it, for the message. */
  detail: string;
}
