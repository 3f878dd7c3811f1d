// The cipher suite over WebCrypto and @hpke, for browsers and Node. goja gets another one (goja.ts).

import { getCiphersuiteFromName, type CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { defaultCryptoProvider } from "ts-mls/crypto/implementation/default/provider.js";
import { suiteName } from "./profile.js";

export function webSuite(): Promise<CiphersuiteImpl> {
  return defaultCryptoProvider.getCiphersuiteImpl(getCiphersuiteFromName(suiteName));
}
