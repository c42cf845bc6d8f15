import { ROWS } from '../rows.ts';
import { answer } from './answer.ts';

/** Measures one row, in a process of its own: no row runs on code that another one has shaped. */
const name = process.argv[2];
answer(() => {
  const row = ROWS.find((one) => one.name === name);
  if (row === undefined) throw new Error(`no row '${name}'`);
  return row.measure();
});
