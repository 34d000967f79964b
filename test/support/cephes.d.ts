/** The one function that the tests call; the package's own declarations are not found by its `exports`. */
declare module 'cephes' {
  const cephes: {
    /** Resolves when its WebAssembly is ready. */
    compiled: Promise<void>;
    /** Quantile of the standard normal distribution. */
    ndtri(p: number): number;
  };
  export default cephes;
}
