package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Keep writes figures as JSON to build/name below root.
func Keep(root, name string, figures any) error {
	b, err := json.MarshalIndent(figures, "", " ")
	if err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	dir := filepath.Join(root, "build")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}
