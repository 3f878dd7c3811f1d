package rtc

import "strings"

// idle keeps the library from stopping the receiver of a section twice.
//
// A section that is not used is inactive in every offer until a track is put on it. The library stops the receiver at each of these
// offers: at the first it also puts a fresh one in its place, at the second it stops the fresh one for good, and the track that comes later
// is never read (pion/webrtc v4.2.26, SetRemoteDescription). So an offer that says inactive again is read as one that says recvonly:
// there, too, nothing comes, and the answer is inactive.
type idle map[string]bool // mids that were inactive in the last offer

// read returns the offer as the library is to see it, and remembers it.
func (i *idle) read(sdp string) string {
	now := idle{}
	lines := strings.SplitAfter(sdp, "\n")
	mid, at := "", -1
	settle := func() {
		if at < 0 || mid == "" {
			return
		}
		now[mid] = true
		if (*i)[mid] {
			lines[at] = strings.Replace(lines[at], "inactive", "recvonly", 1)
		}
	}
	for n, l := range lines {
		switch l = strings.TrimRight(l, "\r\n"); {
		case strings.HasPrefix(l, "m="):
			settle()
			mid, at = "", -1
		case strings.HasPrefix(l, "a=mid:"):
			mid = l[len("a=mid:"):]
		case l == "a=inactive":
			at = n
		}
	}
	settle()
	*i = now
	return strings.Join(lines, "")
}
