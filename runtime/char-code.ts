const { charCodeAt: ofString } = String.prototype;

/**
 * The UTF-16 code unit at `at`; NaN outside of `text`. The same as `text.charCodeAt(at)`, which a hot path should not write:
 * V8 keeps texts in more than four ways (flat, joined, sliced, known to a table, of one byte or of two), and in a function
 * that has seen them all it looks the method up anew for every character. A loop over labels took twice as long.
 */
export const charCodeAt = (text: string, at: number): number => ofString.call(text, at);
