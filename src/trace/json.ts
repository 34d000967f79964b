/** The keys of a JSON object in the order written, repeated ones included, which JSON.parse would hide. */

/** @param text valid JSON of an object. */
export function topLevelKeys(text: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  let key: string | null = null;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
      if (depth === 1 && key === null) key = JSON.parse(text.slice(start, i + 1)) as string;
    } else if (c === ':' && depth === 1 && key !== null) keys.push(key);
    else if (c === ',' && depth === 1) key = null;
    else if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
  }
  return keys;
}
