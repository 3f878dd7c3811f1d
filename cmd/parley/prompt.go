package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/node"
)

// minPassphrase: scrypt makes a guess cost a second, a short passphrase still falls.
const minPassphrase = 12

// passphrase reads a passphrase from a file or the terminal, never from an argument, which every process can see.
func (c *call) passphrase(file, what string, fresh bool) ([]byte, error) {
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, &node.Fault{What: "The passphrase file cannot be read", Err: err, Do: "Give a readable file.", Exit: node.ExitUsage}
		}
		return c.good(bytes.TrimRight(b, "\r\n"), fresh)
	}
	if !term.IsTerminal(int(c.in.Fd())) {
		return nil, &node.Fault{What: "A passphrase is needed and there is no terminal to ask on", Do: "Run the command in a terminal, or give a file.", Example: "--passphrase-file /run/secrets/side", Exit: node.ExitUsage}
	}
	fmt.Fprintf(c.err, "Passphrase of %s: ", what)
	b, err := term.ReadPassword(int(c.in.Fd()))
	fmt.Fprintln(c.err)
	if err != nil {
		return nil, fmt.Errorf("read the passphrase: %w", err)
	}
	if fresh {
		fmt.Fprint(c.err, "Once more: ")
		again, err := term.ReadPassword(int(c.in.Fd()))
		fmt.Fprintln(c.err)
		if err != nil {
			return nil, fmt.Errorf("read the passphrase: %w", err)
		}
		if !bytes.Equal(b, again) {
			return nil, &node.Fault{What: "The two passphrases differ", Means: "Nothing was made.", Do: "Run the command again.", Exit: node.ExitUsage}
		}
	}
	return c.good(b, fresh)
}

func (c *call) good(b []byte, fresh bool) ([]byte, error) {
	if fresh && len(b) < minPassphrase {
		return nil, &node.Fault{What: fmt.Sprintf("The passphrase is shorter than %d bytes", minPassphrase), Means: "Nothing was made.", Do: "Choose a longer one: five or six random words.", Exit: node.ExitUsage}
	}
	return b, nil
}

// ask reads one line that a person types.
func (c *call) ask(question string) (string, error) {
	fmt.Fprint(c.err, question)
	line, err := bufio.NewReader(c.in).ReadString('\n')
	if err != nil && line == "" {
		return "", &node.Fault{What: "Nothing was typed", Err: errors.Unwrap(err), Do: "Run the command in a terminal and type what it asks for.", Exit: node.ExitUsage}
	}
	return strings.TrimSpace(line), nil
}

// texts collects flags like --name en=Velmark --name ar=…
type texts map[string]string

func (t texts) String() string { return "" }

func (t texts) Set(s string) error {
	lang, text, ok := strings.Cut(s, "=")
	if !ok || !ident.IsLanguage(lang) || ident.Text(text, ident.MaxText) != nil {
		return errors.New("is not LANGUAGE=TEXT, as in en=Velmark")
	}
	t[lang] = text
	return nil
}
