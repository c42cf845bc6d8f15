import type { Surface } from '../runtime/surface.ts';
import { cdcSurface } from '../services/cdc/surface.ts';
import { codeSurface } from '../services/code/surface.ts';
import { envSurface } from '../services/env/surface.ts';
import { eventsSurface } from '../services/events/surface.ts';
import { functionSurface } from '../services/function/surface.ts';
import { httpSurface } from '../services/http/surface.ts';
import { httpClientSurface } from '../services/http-client/surface.ts';
import { kvSurface } from '../services/kv/surface.ts';
import { processSurface } from '../services/process/surface.ts';
import { queueSurface } from '../services/queue/surface.ts';
import { registrySurface } from '../services/registry/surface.ts';
import { scheduleSurface } from '../services/schedule/surface.ts';
import { securitySurface } from '../services/security/surface.ts';
import { sqlSurface } from '../services/sql/surface.ts';
import { stdlibSurface } from '../services/stdlib/surface.ts';
import { systemSurface } from '../services/system/surface.ts';
import { terminalSurface } from '../services/terminal/surface.ts';
import { valuesSurface } from '../services/values/surface.ts';

/** Every surface there is, in the order in which they are built and, needs apart, started. One line each. */
export const SURFACES: readonly Surface[] = [
  stdlibSurface,
  valuesSurface,
  systemSurface,
  envSurface,
  eventsSurface,
  securitySurface,
  registrySurface,
  codeSurface,
  functionSurface,
  processSurface,
  terminalSurface,
  kvSurface,
  sqlSurface,
  queueSurface,
  cdcSurface,
  scheduleSurface,
  httpClientSurface,
  httpSurface,
];
