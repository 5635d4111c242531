package fakeslack

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of files. Slack takes files of 1 GB; the memory here is smaller.
const (
	maxFile    = 4 << 20 // bytes
	maxAltText = 1000    // characters
)

// upload is a file between being announced and being shared.
type upload struct {
	file   File
	path   string // where its content is to be posted
	length int    // bytes announced
	posted bool
}

// uploadURL announces a file.
func (s *Server) uploadURL(args map[string]string) answer {
	size, err := strconv.Atoi(args["length"])
	switch {
	case !s.can("files:write"):
		return missing("files:write")
	case args["filename"] == "" || err != nil || size < 0:
		return refuse("invalid_arguments")
	case size == 0:
		return refuse("missing_argument")
	case size > maxFile:
		return refuse("file_upload_size_restricted")
	case length(args["alt_txt"]) > maxAltText:
		return refuse("alt_txt_too_large")
	}
	s.last = max(s.last+1, s.now().UnixMicro())
	name := path.Base(args["filename"])
	up := &upload{
		file: File{ID: "F" + strings.ToUpper(strconv.FormatInt(s.last, 36)), Name: name, Title: name, AltText: args["alt_txt"]},
		path: uploadPath + rand.Text(), length: size,
	}
	s.uploads = newest(append(s.uploads, up), maxUploads)
	return answer{"ok": true, "upload_url": args[argBase] + up.path, "file_id": up.file.ID}
}

// argData is the argument with the content of an uploaded file.
const argData = " data"

// uploaded reads the content of a file, as it is or in a form's only file.
func uploaded(r *http.Request) (map[string]string, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	from := io.Reader(r.Body)
	if kind == "multipart/form-data" {
		parts, err := r.MultipartReader()
		if err != nil {
			return nil, err
		}
		for {
			part, err := parts.NextPart()
			if err != nil {
				return nil, fmt.Errorf("a form without a file: %w", err)
			}
			if part.FileName() != "" {
				from = part
				break
			}
		}
	}
	data, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	return map[string]string{argData: string(data), "bytes": strconv.Itoa(len(data))}, nil
}

// upload takes the content of a file that was announced. The caller holds mu.
func (s *Server) upload(r *http.Request, _ string, args map[string]string) reply {
	i := slices.IndexFunc(s.uploads, func(up *upload) bool { return up.path == r.URL.Path })
	switch {
	case r.Method != http.MethodPost:
		return reply{status: http.StatusMethodNotAllowed, word: "method_not_allowed"}
	case i < 0:
		return reply{status: http.StatusNotFound, body: "no such upload", word: "file_not_found"}
	case len(args[argData]) != s.uploads[i].length:
		return reply{status: http.StatusBadRequest, body: "not as many bytes as announced", word: "wrong_length"}
	}
	up := s.uploads[i]
	up.file.Data, up.posted = []byte(args[argData]), true
	up.file.Type = http.DetectContentType(up.file.Data)
	return reply{body: "OK - " + args["bytes"], word: "ok"}
}

// completeUpload shares files that were uploaded; without a channel nobody sees them.
func (s *Server) completeUpload(args map[string]string) answer {
	var wanted []struct{ ID, Title string }
	if !s.can("files:write") {
		return missing("files:write")
	}
	if json.Unmarshal([]byte(args["files"]), &wanted) != nil || len(wanted) == 0 {
		return refuse("invalid_arguments")
	}
	var files []File
	for _, w := range wanted {
		i := slices.IndexFunc(s.uploads, func(up *upload) bool { return up.posted && up.file.ID == w.ID })
		if i < 0 {
			return refuse("file_not_found")
		}
		file := s.uploads[i].file
		if w.Title != "" {
			file.Title = w.Title
		}
		files = append(files, file)
	}
	if refused := s.share(files, args); refused != nil {
		return refused
	}
	s.uploads = slices.DeleteFunc(s.uploads, func(up *upload) bool {
		return slices.ContainsFunc(files, func(f File) bool { return f.ID == up.file.ID })
	})
	return answer{"ok": true, "files": fileObjects(files)}
}

// share posts files to the channels that the request names. It says what is wrong before it posts anything. The caller
// holds mu.
func (s *Server) share(files []File, args map[string]string) answer {
	names := strings.FieldsFunc(args["channel_id"]+","+args["channels"], func(r rune) bool { return r == ',' })
	if args["thread_ts"] != "" && len(names) > 1 {
		return refuse("invalid_arguments")
	}
	var posts []*Message
	for _, name := range names {
		c := s.channel(name)
		switch {
		case c == nil || c.ID != name || c.Private && c.NotMember:
			return refuse("channel_not_found")
		case c.Archived:
			return refuse("is_archived")
		case c.NotMember:
			return refuse("not_in_channel")
		}
		m := &Message{Channel: c.ID, Files: files, Text: args["initial_comment"]}
		if m.Text == "" && args["blocks"] != "" {
			m.Blocks = json.RawMessage(args["blocks"])
		}
		if _, code := checkBlocks(m.Blocks); code != "" {
			return refuse(code)
		}
		if length(m.Text) > maxPost {
			return refuse("msg_too_long")
		}
		posts = append(posts, m)
	}
	for _, m := range posts {
		m.ThreadTS = s.rootOf(s.channel(m.Channel), args["thread_ts"])
		s.add(m)
	}
	return nil
}

func fileObjects(files []File) []answer {
	objects := []answer{}
	for _, f := range files {
		objects = append(objects, answer{
			"id": f.ID, "name": f.Name, "title": f.Title, "mimetype": f.Type, "filetype": strings.TrimPrefix(path.Ext(f.Name), "."),
			"size": len(f.Data), "alt_txt": f.AltText, "mode": "hosted", "user": botUser,
			"created": createdAt(f.ID).Unix(), "permalink": workspaceURL + "files/" + botUser + "/" + f.ID,
		})
	}
	return objects
}

// createdAt is when a file was announced, which is in its id.
func createdAt(id string) time.Time {
	n, _ := strconv.ParseInt(strings.ToLower(strings.TrimPrefix(id, "F")), 36, 64) // an id is ours
	return time.UnixMicro(n)
}
