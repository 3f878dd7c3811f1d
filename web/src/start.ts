// Starts the client under the page, and shows tests what they may see of it.
import { createClient } from './client/index.ts';
import type { Client } from './view/model.ts';

export function startClient(language: string): Client {
  const { client, facts } = createClient({ language });
  Object.defineProperty(window, 'parley', { value: Object.freeze({ facts }) });
  return client;
}
