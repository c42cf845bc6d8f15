import { randomUUID } from 'node:crypto';
import { hostname, platform, release } from 'node:os';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';

/** Names of operating systems by Node's (semantic conventions, `os.type`). */
const OS_TYPES: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };

/** What describes this process, before anybody's settings. */
const detected = (): Record<string, string | number> => ({
  'service.instance.id': randomUUID(),
  'host.name': hostname(),
  'os.type': OS_TYPES[platform()] ?? platform(),
  'os.version': release(),
  'process.pid': process.pid,
  'process.runtime.name': 'nodejs',
  'process.runtime.version': process.versions.node,
  'process.runtime.description': 'Node.js',
});

/** `telemetry.sdk.{name,language,version}`; the rest of the SDK's default resource is a service name of its own making. */
const sdkAttributes = (): Record<string, string> => {
  const all = defaultResource().attributes;
  const kept = Object.entries(all).filter(([key]) => key.startsWith('telemetry.sdk.'));
  return Object.fromEntries(kept.map(([key, value]) => [key, String(value)]));
};

/** The attributes that spans and metrics share: what was detected, merged key by key with what was configured. */
export const resourceAttributes = (
  configured: Readonly<Record<string, string>>,
): Readonly<Record<string, string | number>> => ({ ...detected(), ...sdkAttributes(), ...configured });

export const resource = (attributes: Readonly<Record<string, string | number>>): Resource =>
  resourceFromAttributes({ ...attributes });
