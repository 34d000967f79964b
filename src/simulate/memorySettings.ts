/** Settings of the memory system among those of machines: `memory.parameter=value`. */
import { UserError } from '../errors.js';
import { DEFAULT_MEMORY, memoryOf, type Memory } from '../memory/config.js';

export const MEMORY_OWNER = 'memory';
const PREFIX = `${MEMORY_OWNER}.`;

/**
 * The memory system, and the settings that are left for machines. Of several values of a parameter the last one holds, as
 * for machines.
 * @throws UserError on unknown presets and parameters, and on bad values
 */
export function separateSettings(
  settings: readonly string[],
  preset: string = DEFAULT_MEMORY,
): { settings: string[]; memory: Memory } {
  const values: Record<string, string> = {};
  for (const setting of settings) {
    if (!setting.startsWith(PREFIX)) continue;
    const match = /^([^=]+)=(.*)$/s.exec(setting.slice(PREFIX.length));
    if (!match) throw new UserError('bad-setting', `--set ${setting}: expected memory.parameter=value`);
    values[match[1]] = match[2];
  }
  return {
    settings: settings.filter((setting) => !setting.startsWith(PREFIX)),
    memory: memoryOf(preset, values),
  };
}
