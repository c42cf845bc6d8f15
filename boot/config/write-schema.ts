import { writeFileSync } from 'node:fs';
import { renderReference } from './reference.ts';
import { renderJsonSchema } from './schema.ts';

// Run by hand (or `make`) after the schema has changed; test/boot/config/schema.test.ts compares.
writeFileSync(new URL('../../schema/perilune.schema.json', import.meta.url), renderJsonSchema());
writeFileSync(new URL('../../docs/configuration.md', import.meta.url), renderReference());
