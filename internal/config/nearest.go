package config

import (
	"sort"
	"strings"
)

// nearest is the valid setting name with the smallest edit distance to a mistyped one.
func nearest(name string) string {
	best, distance := "", 1<<30
	for _, s := range settings {
		d := edits(name, s.name)
		if _, key, ok := strings.Cut(s.name, "."); ok {
			// A key outside its table ("listen = …" at the top) is nearer to its own name than to anything else.
			d = min(d, edits(name, key)+1)
		}
		if d < distance {
			best, distance = s.name, d
		}
	}
	return best
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// lineOf finds the line that sets a key, for the error message; 1 if it is written in a way this does not see.
func lineOf(text, name string) int {
	table := ""
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "[") {
			table = strings.Trim(strings.TrimSpace(strings.SplitN(l, "#", 2)[0]), "[] ")
			continue
		}
		key, _, ok := strings.Cut(l, "=")
		if !ok {
			continue
		}
		key = strings.Trim(strings.TrimSpace(key), `"'`)
		if table != "" {
			key = table + "." + key
		}
		if key == name || strings.HasPrefix(name, key+".") {
			return i + 1
		}
	}
	return 1
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
