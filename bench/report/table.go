package report

import (
	"strings"
	"unicode/utf8"
)

// Borders of a table's lines.
type Borders struct{ Left, Between, Right string }

// Markdown is a table as documents have it; Plain as a terminal shows it.
var (
	Markdown = Borders{"| ", " | ", " |"}
	Plain    = Borders{" ", "  ", ""}
)

// Lines writes a table with equal widths, the first column to the left and the others to the right.
func Lines(b *strings.Builder, head []string, rows [][]string, with Borders) {
	widths := make([]int, len(head))
	for _, r := range append([][]string{head}, rows...) {
		for i := range min(len(r), len(widths)) {
			widths[i] = max(widths[i], utf8.RuneCountInString(r[i]))
		}
	}
	write := func(r []string) {
		b.WriteString(with.Left)
		for i := range widths {
			cell := ""
			if i < len(r) {
				cell = r[i]
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				cell += pad
			} else {
				cell = pad + cell
			}
			if b.WriteString(cell); i < len(widths)-1 {
				b.WriteString(with.Between)
			}
		}
		b.WriteString(with.Right + "\n")
	}
	write(head)
	if with == Markdown {
		for i := range widths {
			b.WriteString("|---")
			if i > 0 {
				b.WriteString(":")
			}
		}
		b.WriteString("|\n")
	}
	for _, r := range rows {
		write(r)
	}
}
