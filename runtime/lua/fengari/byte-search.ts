/** Up to this length the native search stays fast whatever the bytes are. */
const SHORT = 64;

/**
 * Where `wanted` first occurs in `bytes`, or -1. Takes time in proportion to both lengths: the search that `find`
 * uses for plain text must end on `("a"):rep(n):find(("a"):rep(m) .. "b", 1, true)` too.
 */
export const indexOfBytes = (bytes: Uint8Array, wanted: Uint8Array): number => {
  if (wanted.length > SHORT) return indexByFailures(bytes, wanted);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(wanted);
};

/** Knuth, Morris, Pratt (1977): after a mismatch no byte is looked at again. */
const indexByFailures = (bytes: Uint8Array, wanted: Uint8Array): number => {
  const failure = new Int32Array(wanted.length);
  for (let i = 1, matched = 0; i < wanted.length; i += 1) {
    while (matched > 0 && wanted[i] !== wanted[matched]) matched = failure[matched - 1] as number;
    if (wanted[i] === wanted[matched]) matched += 1;
    failure[i] = matched;
  }
  for (let i = 0, matched = 0; i < bytes.length; i += 1) {
    while (matched > 0 && bytes[i] !== wanted[matched]) matched = failure[matched - 1] as number;
    if (bytes[i] === wanted[matched]) matched += 1;
    if (matched === wanted.length) return i - matched + 1;
  }
  return -1;
};
