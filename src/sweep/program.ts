/** How another process runs a module of this program, be it the build or, in tests, the source. */
import { fileURLToPath } from 'node:url';

export interface Program {
  file: string;
  /** Options of Node. */
  nodeOptions: string[];
}

/** @param module without extension, relative to `from`, which is the `import.meta.url` of the asking module */
export function programOf(module: string, from: string): Program {
  const built = !from.endsWith('.ts');
  return {
    file: fileURLToPath(new URL(`${module}.${built ? 'js' : 'ts'}`, from)),
    // Source needs its loader, which is looked for here and not in the folder where the process runs.
    nodeOptions: built ? [] : ['--import', import.meta.resolve('tsx')],
  };
}
