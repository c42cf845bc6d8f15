import { z } from 'zod';
import { parseDurationMs } from '../../runtime/duration.ts';

/** Building blocks of the boot file's schema. Each sets a default, so that every key may be left out. */

/** A text with a unit; a bare number is an error here (boot.md). Milliseconds when decoded. */
export const durationText = (byDefault: string, help: string) =>
  z
    .string({ error: (issue) => durationError(issue.input) })
    .transform((text, ctx): number => {
      const ms = parseDurationMs(text);
      // Go's parser takes a bare `0`; the boot file asks for a unit always.
      if (ms !== undefined && ms >= 0 && /[a-zµμ]$/.test(text)) return ms;
      ctx.issues.push({ code: 'custom', message: durationError(text), input: text });
      return z.NEVER;
    })
    .prefault(byDefault)
    .meta({ description: help, examples: [byDefault] });

const durationError = (input: unknown): string =>
  `expected a duration with a unit such as 250ms, 5s, 2m or 1h, got ${JSON.stringify(input)}`;

export const flag = (byDefault: boolean, help: string) => z.boolean().default(byDefault).describe(help);
export const text = (byDefault: string, help: string) => z.string().default(byDefault).describe(help);
export const count = (byDefault: number, help: string, least = 0) =>
  z
    .number()
    .refine((n) => Number.isSafeInteger(n) && n >= least, {
      error: ({ input }) => `expected a whole number of at least ${least}, got ${JSON.stringify(input)}`,
    })
    .default(byDefault)
    .meta({ description: help, minimum: least, type: 'integer' });
export const choice = <const T extends readonly [string, ...string[]]>(values: T, byDefault: T[number], help: string) =>
  z
    .enum(values)
    .default(byDefault as never)
    .describe(help);
export const texts = (byDefault: string[], help: string) => z.array(z.string()).default(byDefault).describe(help);

/** A map of named keys; left out as a whole it is a map of defaults. */
export const section = <T extends z.ZodRawShape>(help: string, shape: T) =>
  z
    .strictObject(shape)
    .prefault({} as never)
    .describe(help);

/** Where an interceptor stands in the chain of every site; lower is further out. */
export const interceptor = (order: number, help: string) =>
  section(help, {
    enabled: flag(true, 'Whether it is part of the chain.'),
    order: z
      .number()
      .default(order)
      .describe('Its place in the chain: lower is further out; each interceptor has its own.'),
  });
