/** Name patterns: `*` stands for any characters, `/` included, and `?` for one. Everything else is itself. */
export function globMatcher(pattern: string): (name: string) => boolean {
  const escaped = pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const expression = new RegExp(`^${escaped.replace(/\\\*/g, '.*').replace(/\\\?/g, '.')}$`, 's');
  return (name) => expression.test(name);
}
