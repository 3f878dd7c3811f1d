package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"parley.link/parley/internal/config"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/side"
	client "parley.link/parley/web"
)

const serveAbout = `parley serve: run this side's node

  parley serve --init --data /var/lib/parley    make the node key and show the line that the offline machine certifies
  parley serve --data /var/lib/parley           run

Every setting is a line of parley.toml, a variable PARLEY_… or a flag; the later wins. A small parley.toml:

  data = "/var/lib/parley"
  [web]
  listen = "0.0.0.0:8443"
  names = ["parley.velmark.example"]
  [link]
  announce = "parley.velmark.example:7443"
`

func runServe(c *call) error {
	values := config.Flags(c.fs)
	initOnly := c.fs.Bool("init", false, "make the node key, show the line to certify, and end")
	if err := c.want("parley serve --data /var/lib/parley"); err != nil {
		return err
	}
	cfg, err := config.Load(values, os.Getenv)
	if err != nil {
		return err
	}
	if *initOnly {
		return initNode(c, cfg)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	n, err := node.New(ctx, cfg, node.Options{Client: client.Dist(), Log: logger(c, cfg.Log.Level)})
	if err != nil {
		return err
	}
	if err := n.Start(); err != nil {
		return err
	}
	browser, link := n.Addresses()
	certificate, digits, words := n.Fingerprints()
	fmt.Fprintf(c.out, "parley %s serves\n  browsers:          %s\n  link (UDP):        %s\n", config.Version, browser, link)
	if cfg.Web.Plain {
		fmt.Fprintln(c.out, "  plain HTTP:        only on this machine; nothing is encrypted between browser and node")
	}
	if certificate != "" {
		fmt.Fprintln(c.out, "  certificate:       self-signed, SHA-256 "+certificate)
	}
	fmt.Fprintf(c.out, "  side fingerprint:  %s\n                     %s\n", digits, strings.Join(words, " "))
	return n.Run(ctx)
}

func initNode(c *call, cfg config.Config) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return &node.Fault{What: "The data directory cannot be made", Err: err, Do: "Choose a directory that this user may write.", Exit: node.ExitConfig}
	}
	key, err := node.Key(cfg.Data)
	if err != nil {
		return &node.Fault{What: "The node key cannot be made", Err: err, Do: "See the error above.", Exit: node.ExitIdentity}
	}
	fmt.Fprintf(c.err, "The node key is in %s and stays there. Certify it on the offline machine:\n  parley side node-cert DIR --key REQUEST\nthen copy DIR/%s into %s. The request (it is public):\n",
		filepath.Join(cfg.Data, "node.key"), side.BundleFile, cfg.Data)
	fmt.Fprintln(c.out, side.NodeRequest(key.Public()))
	return nil
}

func logger(c *call, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // config has checked it
	return slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: l}))
}
