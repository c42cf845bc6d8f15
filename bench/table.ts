import { cpus } from 'node:os';
import type { Result, Row } from './row.ts';

/** Three digits that count. */
const number = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));

export const TABLE_HEAD =
  "| row | peer | ours | peer's | unit | ratio | at least | |\n|---|---|---|---|---|---|---|---|";

/** The lines of one row, as Markdown. */
export const tableLines = (row: Row, results: readonly Result[]): string =>
  results
    .map(({ name, peer, unit, value, peerValue, ratio }) => {
      const wanted = row.atLeast[peer] ?? 0;
      const cells = [
        `\`${name}\``,
        `\`${peer}\``,
        number(value),
        number(peerValue),
        unit,
        number(ratio),
        number(wanted),
      ];
      return `| ${cells.join(' | ')} | ${ratio >= wanted ? 'holds' : 'missed'} |`;
    })
    .join('\n');

/** What the figures were measured on. */
export const machineLine = (): string =>
  `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${process.platform} ${process.arch}, Node.js ${process.versions.node}`;
