import { sourceContract } from './contract.ts';
import { sqliteUnderTest } from './sqlite-app.ts';

sourceContract('sqlite, durable', sqliteUnderTest(true));
