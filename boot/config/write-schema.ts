import { writeFileSync } from 'node:fs';
import { renderJsonSchema } from './schema.ts';

// Run by hand (or `make`) after the schema has changed; test/boot/config/schema.test.ts compares.
writeFileSync(new URL('../../schema/perilune.schema.json', import.meta.url), renderJsonSchema());
