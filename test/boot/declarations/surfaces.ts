import { z } from 'zod';
import { lifecycleSchema } from '../../../runtime/lifecycle-schema.ts';
import { nonNegativeInt, required } from '../../../runtime/schema-fields.ts';
import { entryKind, type Surface } from '../../../runtime/surface.ts';
import { envSurface } from '../../../services/env/surface.ts';
import { registrySurface } from '../../../services/registry/surface.ts';
import { securitySurface } from '../../../services/security/surface.ts';

/** Small surfaces with the traits that the loader has to cope with. */
const http: Surface = {
  name: 'http',
  modules: ['http'],
  build: () => [],
  kinds: {
    'http.service': entryKind({
      schema: z.object({
        addr: required('address is required'),
        workers: nonNegativeInt('workers must be non-negative').default(1),
        lifecycle: lifecycleSchema,
      }),
    }),
    'http.endpoint': entryKind({
      schema: z.object({
        meta: z.object({ server: required('server metadata is required') }),
        method: z.enum(['GET', 'POST'], { error: ({ input }) => `invalid HTTP method: ${input}` }),
        func: required('function name is required'),
      }),
      references: [
        { path: 'meta.server', kinds: ['http.service'] },
        { path: 'func', kinds: ['function.lua'] },
      ],
    }),
  },
};

const code = {
  source: required('source is required'),
  modules: z.array(z.string()).default([]),
  imports: z.record(z.string(), z.string()).default({}),
};
const imports = { path: 'imports.*', kinds: ['library.lua'] };
const functions: Surface = {
  name: 'function',
  modules: ['json', 'time'],
  build: () => [],
  kinds: {
    'function.lua': entryKind<{ source: string }>({
      schema: z.object({
        ...code,
        method: z.string().default('main'),
        pool: z
          .object({ size: nonNegativeInt(), type: z.string().optional(), warm: z.boolean().default(false) })
          .optional(),
        password: z.string().optional(),
      }),
      references: [imports],
      check: ({ config, entry }) =>
        config.source.includes('syntax error')
          ? [
              {
                path: 'source',
                message: 'unexpected symbol',
                at: { file: entry.fileOf('source') ?? entry.file, line: 3 },
              },
            ]
          : [],
    }),
    'library.lua': entryKind({ schema: z.object(code), references: [imports] }),
  },
};

const cdc: Surface = {
  name: 'cdc',
  modules: ['cdc'],
  build: () => [],
  kinds: { 'db.cdc.sqlite': entryKind({ schema: z.object({}) }) },
};

export const testSurfaces: readonly Surface[] = [http, functions, cdc, envSurface, securitySurface, registrySurface];
