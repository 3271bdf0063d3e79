/** text is a value of an address as text, or nothing if it is none. */
export function text(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** among is a value of an address if it is one of those that are known. */
export function among<const T extends string>(value: unknown, known: readonly T[]): T | undefined {
  return known.find((k) => k === value);
}
