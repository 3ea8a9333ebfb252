/** What the benchmark is to measure, and how. */
export interface BenchSettings {
  readonly models: readonly string[];
  readonly backends: readonly string[];
  readonly batch: number;
  readonly rounds: number;
  readonly threads: number;
  /** Python interpreter with PyTorch. */
  readonly python: string;
  /** Folder where the packages of peers are installed. */
  readonly peers?: string;
  /** Folder of annotated photos. */
  readonly photos?: string;
  /** Photos of the pipeline benchmark. */
  readonly count: number;
}
