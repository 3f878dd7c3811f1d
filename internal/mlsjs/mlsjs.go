// Package mlsjs is the MLS of a native participant: ts-mls under the policy of web/src/keys/group.ts, run in goja over Go's
// standard cryptography. One implementation of MLS in the project, not a second to audit.
//
// The bundle (bundle/keys.js) is made by `node web/build-goja.mjs` and embedded; without it New fails with ErrNoBundle.
// Secrets live in the JavaScript heap while a Runtime lives: give every participant its own and drop it when done.
package mlsjs

import (
	"embed"
	"errors"
	"fmt"
	"sync"

	"github.com/dop251/goja"
)

// The directory, so that the package builds without the bundle.
//
//go:embed all:bundle
var bundle embed.FS

// ErrNoBundle says that the binary was built without the JavaScript.
var ErrNoBundle = errors.New("mlsjs: built without bundle/keys.js: run `node web/build-goja.mjs` before `go build`")

// Error is a refusal of the policy or of the library. Codes are those of web/src/keys/errors.ts.
type Error struct {
	Code   string
	Detail string
}

func (e *Error) Error() string { return "mlsjs: " + e.Detail }

// Code is the stable code of an error of this package, "" for others.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// program is compiled once for all runtimes.
var program = sync.OnceValues(func() (*goja.Program, error) {
	src, err := bundle.ReadFile("bundle/keys.js")
	if err != nil {
		return nil, ErrNoBundle
	}
	p, err := goja.Compile("keys.js", string(src), false)
	if err != nil {
		return nil, fmt.Errorf("mlsjs: compile bundle: %w", err)
	}
	return p, nil
})

// Runtime runs one JavaScript heap. Its methods, and those of its members and groups, may be called from any goroutine;
// they run one at a time.
type Runtime struct {
	mu  sync.Mutex // guards vm and every value of it
	vm  *goja.Runtime
	api *goja.Object
	u8  *goja.Object // the Uint8Array constructor
}

// New starts a runtime: about 20 ms and 5 MB.
func New() (*Runtime, error) {
	p, err := program()
	if err != nil {
		return nil, err
	}
	rt := &Runtime{vm: goja.New()}
	rt.vm.SetMaxCallStackSize(4096)
	rt.u8 = rt.vm.Get("Uint8Array").ToObject(rt.vm)
	if err := rt.vm.Set("host", rt.host()); err != nil {
		return nil, fmt.Errorf("mlsjs: host: %w", err)
	}
	if _, err := rt.vm.RunProgram(p); err != nil {
		return nil, fmt.Errorf("mlsjs: run bundle: %w", err)
	}
	rt.api = rt.vm.Get("parleyKeys").ToObject(rt.vm).Get("api").ToObject(rt.vm)
	return rt, nil
}

// call runs api[name] to its end. Everything the host offers is synchronous, so the promise is settled when the call
// returns; one that is not is a defect, not a wait. mu must be held.
func (rt *Runtime) call(name string, args ...any) (goja.Value, error) {
	f, ok := goja.AssertFunction(rt.api.Get(name))
	if !ok {
		return nil, fmt.Errorf("mlsjs: no function %s in the bundle", name)
	}
	values := make([]goja.Value, len(args))
	for i, a := range args {
		values[i] = rt.value(a)
	}
	v, err := f(rt.api, values...)
	if err != nil {
		return nil, fmt.Errorf("mlsjs: %s: %w", name, err)
	}
	p, ok := v.Export().(*goja.Promise)
	if !ok {
		return nil, fmt.Errorf("mlsjs: %s: not a promise", name)
	}
	switch p.State() {
	case goja.PromiseStateFulfilled:
		return p.Result(), nil
	case goja.PromiseStateRejected:
		return nil, rt.refusal(p.Result())
	default:
		return nil, fmt.Errorf("mlsjs: %s: promise left pending", name)
	}
}

func (rt *Runtime) refusal(v goja.Value) error {
	if o, ok := v.(*goja.Object); ok {
		if code := o.Get("code"); code != nil && !goja.IsUndefined(code) {
			return &Error{Code: code.String(), Detail: o.Get("message").String()}
		}
	}
	return &Error{Code: "invalid", Detail: v.String()}
}

// value turns bytes into a fresh Uint8Array and rosters into objects; the rest goes as it is.
func (rt *Runtime) value(a any) goja.Value {
	switch a := a.(type) {
	case nil:
		return goja.Null()
	case goja.Value:
		return a
	case []byte:
		return rt.bytes(a)
	case [][]byte:
		out := make([]any, len(a))
		for i, b := range a {
			out[i] = rt.bytes(b)
		}
		return rt.vm.NewArray(out...)
	case []uint32:
		out := make([]any, len(a))
		for i, n := range a {
			out[i] = int64(n)
		}
		return rt.vm.NewArray(out...)
	case Roster:
		out := make([]any, len(a))
		for i, e := range a {
			o := rt.vm.NewObject()
			_ = o.Set("identity", rt.bytes(e.Identity))
			_ = o.Set("signatureKey", rt.bytes(e.SignatureKey))
			out[i] = o
		}
		return rt.vm.NewArray(out...)
	default:
		return rt.vm.ToValue(a)
	}
}

func (rt *Runtime) bytes(b []byte) goja.Value {
	buffer := rt.vm.ToValue(rt.vm.NewArrayBuffer(append([]byte(nil), b...)))
	o, err := rt.vm.New(rt.u8, buffer)
	if err != nil {
		panic(err) // a constructor of the language with a buffer it made
	}
	return o
}

// octets copies the bytes of a Uint8Array; nil for null.
func octets(v goja.Value) []byte {
	if v == nil || goja.IsNull(v) || goja.IsUndefined(v) {
		return nil
	}
	if b, ok := v.Export().([]byte); ok {
		return append([]byte{}, b...)
	}
	return nil
}

func field(v goja.Value, name string) goja.Value {
	o, ok := v.(*goja.Object)
	if !ok {
		return goja.Undefined()
	}
	return o.Get(name)
}
