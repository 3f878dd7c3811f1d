package web

import (
	"crypto/tls"
	"os"
	"sync"
	"time"
)

// lookEvery is how often the files of a certificate are looked at, while there are handshakes.
const lookEvery = time.Minute

// TLSFiles is TLS with a certificate in files that are looked at again: an authority's certificate lives for weeks, a node for longer. A pair
// that cannot be used (half copied, a key that does not fit) is told to failed, and the one before goes on.
func TLSFiles(certFile, keyFile string, now func() time.Time, failed func(error)) (*tls.Config, error) {
	f := &files{cert: certFile, key: keyFile, now: now, failed: failed, looked: now()}
	f.stamp = f.stamps()
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	f.pair = &pair
	conf := TLS(pair)
	conf.Certificates = nil
	conf.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current(), nil }
	return conf, nil
}

type files struct {
	cert, key string
	now       func() time.Time
	failed    func(error)

	mu     sync.Mutex
	pair   *tls.Certificate
	looked time.Time
	stamp  [2]time.Time // of the files that pair is from, or that could not be used
}

func (f *files) current() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now.Sub(f.looked) < lookEvery {
		return f.pair
	}
	f.looked = now
	stamp := f.stamps()
	if stamp == f.stamp {
		return f.pair
	}
	f.stamp = stamp
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		f.failed(err)
		return f.pair
	}
	f.pair = &pair
	return f.pair
}

func (f *files) stamps() (t [2]time.Time) {
	for i, path := range []string{f.cert, f.key} {
		if st, err := os.Stat(path); err == nil {
			t[i] = st.ModTime()
		}
	}
	return t
}
