// A side's own certificate authority, made with openssl exactly as docs/running.md tells a technician, and brought to the places
// where browsers look for authorities. No browser here is told to ignore anything.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./lab.mjs";

const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** makeAuthority makes an authority for one domain and nothing else: a thief of its key cannot speak for other places. */
export function makeAuthority(dir, domain) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const [key, pem] = [join(dir, "authority.key"), join(dir, "authority.pem")];
  run("openssl", "req", "-x509", ...curve, "-days", "3650", "-keyout", key, "-out", pem, "-subj", `/CN=Authority of ${domain}`,
    "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    "-addext", `nameConstraints=critical,permitted;DNS:${domain}`);
  return { dir, key, pem };
}

/** certify makes the node's certificate for its names. */
export function certify(authority, name) {
  const file = (end) => join(authority.dir, `node.${end}`);
  writeFileSync(file("ext"), `subjectAltName=DNS:${name}\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n`);
  run("openssl", "req", ...curve, "-keyout", file("key"), "-out", file("csr"), "-subj", `/CN=${name}`);
  run("openssl", "x509", "-req", "-in", file("csr"), "-CA", authority.pem, "-CAkey", authority.key, "-CAcreateserial", "-days", "397", "-extfile", file("ext"), "-out", file("pem"));
  return { cert: file("pem"), key: file("key") };
}

/** trust puts the authority into an NSS store: Chromium reads the one of the home directory, Firefox the one of its profile. */
export function trust(store, authority) {
  mkdirSync(store, { recursive: true });
  if (!existsSync(join(store, "cert9.db"))) run("certutil", "-d", `sql:${store}`, "-N", "--empty-password");
  run("certutil", "-d", `sql:${store}`, "-A", "-t", "C,,", "-n", "the side's authority", "-i", authority.pem);
}

/** chromiumStore is where Chromium on Linux looks below a home directory. */
export const chromiumStore = (home) => join(home, ".pki", "nssdb");
