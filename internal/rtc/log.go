package rtc

import (
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// loggers passes what the libraries call an error or a warning to slog, at debug level: on a public port every scanner causes some.
type loggers struct{ log *slog.Logger }

func (l loggers) NewLogger(scope string) logging.LeveledLogger {
	if l.log == nil {
		return quiet{}
	}
	return leveled{log: l.log.With("part", scope)}
}

type quiet struct{}

func (quiet) Trace(string)          {}
func (quiet) Tracef(string, ...any) {}
func (quiet) Debug(string)          {}
func (quiet) Debugf(string, ...any) {}
func (quiet) Info(string)           {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warn(string)           {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Error(string)          {}
func (quiet) Errorf(string, ...any) {}

type leveled struct {
	quiet
	log *slog.Logger
}

func (l leveled) Warn(m string) { l.log.Debug("media library", "says", m) }
func (l leveled) Warnf(f string, a ...any) {
	l.log.Debug("media library", "says", fmt.Sprintf(f, a...))
}
func (l leveled) Error(m string) { l.log.Debug("media library", "says", m, "error", true) }
func (l leveled) Errorf(f string, a ...any) {
	l.log.Debug("media library", "says", fmt.Sprintf(f, a...), "error", true)
}
