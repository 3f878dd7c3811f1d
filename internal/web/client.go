package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// Client is the bundle that browsers run, held in memory as built: what is served is what was hashed.
type Client struct {
	files  map[string]file
	bundle string
}

type file struct {
	body        []byte
	contentType string
	immutable   bool // its name holds its hash
}

// NewClient reads a built bundle. Without an index.html it serves a page that says how to build one.
func NewClient(dist fs.FS) (*Client, error) {
	c := &Client{files: map[string]file{}}
	sum := sha256.New()
	err := fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		body, err := fs.ReadFile(dist, name)
		if err != nil {
			return err
		}
		// WalkDir goes in lexical order, so the sum depends on names and bytes alone.
		h := sha256.Sum256(body)
		fmt.Fprintf(sum, "%x  %s\n", h, name)
		c.files["/"+name] = file{body: body, contentType: contentType(name), immutable: strings.HasPrefix(name, "assets/")}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the client bundle: %w", err)
	}
	if len(c.files) > 0 {
		c.bundle = hex.EncodeToString(sum.Sum(nil))
	}
	return c, nil
}

// Bundle is the hash of what is served, in hexadecimal: SHA-256 over the lines "sha256  name" of every file, in order of name.
// Empty if no bundle was built.
func (c *Client) Bundle() string { return c.bundle }

// ErrNoBundle says that the binary was built before the client.
var ErrNoBundle = errors.New("web: the client was not built into this binary")

func contentType(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func (c *Client) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path
	if name == "/" {
		name = "/index.html"
	}
	f, ok := c.files[name]
	if !ok {
		if c.bundle == "" {
			notice(w, http.StatusServiceUnavailable, "The client is not built",
				"This binary was built without the web client, so there is nothing to show. The node itself runs.",
				"Run “make” in the source directory, then start the node again.")
			return
		}
		// A page address of the client itself; anything that looks like a file is simply absent.
		if path.Ext(name) != "" || strings.HasPrefix(name, "/assets/") {
			notice(w, http.StatusNotFound, "Not here", "This node has no such file.", "Open the address of the node without a path.")
			return
		}
		f = c.files["/index.html"]
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-store")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}

// notice is a page without script, style or picture.
func notice(w http.ResponseWriter, status int, title, what, now string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Parley: %[1]s</title><h1>%[1]s</h1><p>%[2]s</p><p>%[3]s</p></html>\n",
		html.EscapeString(title), html.EscapeString(what), html.EscapeString(now))
}
