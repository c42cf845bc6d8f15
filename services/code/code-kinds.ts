/** Kinds whose code may import libraries, beside the libraries themselves. */
export const CODE_KINDS = ['function.lua', 'process.lua'] as const;
