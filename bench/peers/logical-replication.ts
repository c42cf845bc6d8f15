import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from 'pg-logical-replication';
import type { BenchDatabase } from '../processes/changes-database.ts';

/** Has its slot and its publication; the messages as the package gives them. */
export interface PeerSubscription {
  readonly slot: string;
  readonly publication: string;
  readonly onMessage: (lsn: string, message: Pgoutput.Message) => void;
}

/**
 * pg-logical-replication at its fastest: it would answer every message with an acknowledgement; here it does so once a second,
 * which is right because `onMessage` has handled all that came before it returns.
 */
export const startReplication = async (
  { host, port, database, username: user, password }: BenchDatabase,
  { slot, publication, onMessage }: PeerSubscription,
): Promise<void> => {
  const service = new LogicalReplicationService(
    { host, port, database, user, password },
    { acknowledge: { auto: false, timeoutSeconds: 1 } },
  );
  service.on('data', onMessage);
  const plugin = new PgoutputPlugin({ protoVersion: 1, publicationNames: [publication] });
  await new Promise<void>((resolve, reject) => {
    service.on('start', resolve);
    service.on('error', reject);
    service.subscribe(plugin, slot).catch(reject);
  });
};
