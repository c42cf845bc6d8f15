import type { Row } from './row.ts';
import { callRow } from './rows/call.ts';
import { cdcDecode, cdcLua } from './rows/cdc.ts';
import { counterAdd } from './rows/counter-add.ts';
import { counterAddLabelled } from './rows/counter-add-labelled.ts';
import { heapSeries } from './rows/heap-series.ts';
import { histogramObserve } from './rows/histogram-observe.ts';
import { httpHelloP99Row, httpHelloRow } from './rows/http-hello.ts';
import { kvGet } from './rows/kv-get.ts';
import { processSend, processSendOn, processSpawn } from './rows/process.ts';
import { queueMemoryRow } from './rows/queue-memory.ts';
import { queueRedis } from './rows/queue-redis.ts';
import { renderCounters } from './rows/render-counters.ts';
import { renderHistograms } from './rows/render-histograms.ts';
import { spanExport } from './rows/span-export.ts';
import { sqlQuery } from './rows/sql-query.ts';

/** Everything that is compared, in the order of the table. */
export const ROWS: readonly Row[] = [
  counterAdd,
  histogramObserve,
  counterAddLabelled,
  renderHistograms,
  renderCounters,
  heapSeries,
  spanExport,
  callRow('sampled', 1.5),
  callRow('unsampled', 8),
  httpHelloRow('sampled', { off: 0.6, 'by-hand': 2 }),
  httpHelloRow('unsampled', { off: 0.85, 'by-hand': 2.5 }),
  httpHelloP99Row('sampled', 1 / 2),
  httpHelloP99Row('unsampled', 1 / 1.3),
  queueMemoryRow('sampled', 0.4),
  queueMemoryRow('unsampled', 0.7),
  processSpawn,
  processSend,
  processSendOn,
  queueRedis,
  sqlQuery,
  kvGet,
  cdcDecode,
  cdcLua,
];
