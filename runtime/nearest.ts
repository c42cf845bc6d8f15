/** Levenshtein's distance: how many letters to insert, delete or replace. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

/** The known name that `name` was probably meant to be; undefined when none is close. Ties: the first. */
export const nearest = (name: string, known: Iterable<string>): string | undefined => {
  let best: string | undefined;
  // Two typing errors, or a third of a long name; beyond that a suggestion misleads.
  let bound = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const one of known) {
    const [a, b] = [name.toLowerCase(), one.toLowerCase()];
    // `cpu` for `cpu_ms`: a beginning is what people remember.
    const d = a.length >= 3 && b.startsWith(a) ? Math.min(2, b.length - a.length) : distance(a, b);
    // A short name that shares no letter with the other (`id` and `ns`) is no typing error.
    if (d >= bound || d >= Math.max(name.length, one.length)) continue;
    [best, bound] = [one, d];
  }
  return best;
};

/** ` Did you mean 'x'?`, or nothing: to be put behind a sentence. */
export const didYouMean = (name: string, known: Iterable<string>): string => {
  const found = nearest(name, known);
  return found === undefined ? '' : ` Did you mean '${found}'?`;
};
