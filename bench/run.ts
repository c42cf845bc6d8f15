import { parseArgs } from 'node:util';
import type { Row } from './row.ts';
import { ROWS } from './rows.ts';
import { measureAll } from './runner.ts';
import { machineLine, TABLE_HEAD, tableLines } from './table.ts';

/** `npm run bench -- [--filter text] [--json]`: every row against its peers; --json gives one object a line. */
const { values } = parseArgs({ options: { filter: { type: 'string', default: '' }, json: { type: 'boolean' } } });

const rows: readonly Row[] = ROWS.filter(({ name }) => name.includes(values.filter));
const write = (line: string): void => void process.stdout.write(`${line}\n`);
if (rows.length === 0) {
  throw new Error(`no row has '${values.filter}' in its name; there are ${ROWS.map(({ name }) => name).join(', ')}`);
}
if (values.json !== true) write(`${machineLine()}\n\n${TABLE_HEAD}`);
await measureAll(rows, (row, results) => {
  if (values.json === true) for (const result of results) write(JSON.stringify(result));
  else write(tableLines(row, results));
});
