package report

import (
	"fmt"
	"strings"
)

// Between replaces what stands between a document's markers "<!-- id -->" and "<!-- /id -->".
func Between(text, id, content string) (string, error) {
	begin, end := "<!-- "+id+" -->\n", "<!-- /"+id+" -->"
	before, rest, ok := strings.Cut(text, begin)
	if !ok {
		return "", fmt.Errorf("the document has no marker %q", strings.TrimSpace(begin))
	}
	_, after, ok := strings.Cut(rest, end)
	if !ok {
		return "", fmt.Errorf("the document has no marker %q", end)
	}
	return before + begin + "\n" + content + "\n" + end + after, nil
}
