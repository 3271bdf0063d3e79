package drawing

import (
	"slices"
	"strconv"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/form"
	"portico/internal/protocol/wire"
)

// The paths of the API.
const (
	Generations = "/images/generations"
	Edits       = "/images/edits"
	Variations  = "/images/variations"
)

// FromOpenAI reads a request of OpenAI's to path, in JSON or as a form. The
// result points into body. The error is a *fault.Fault.
func FromOpenAI(path, contentType string, body []byte) (*Request, error) {
	if path == Variations {
		return nil, refuse(fault.Unsupported, "", "no model that draws in a conversation makes variations without being told what to vary: send the picture to %s with a prompt", "/v1"+Edits)
	}
	r := &Request{N: 1, edit: path == Edits}
	var err error
	if strings.HasPrefix(contentType, "multipart/") {
		err = r.fromForm(contentType, body)
	} else {
		err = r.fromJSON(body)
	}
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// check says what is missing, or does not belong together.
func (r *Request) check() error {
	switch {
	case !r.prompt.IsSet():
		return refuse(fault.Malformed, "prompt", "the request has no prompt")
	case r.edit && len(r.given) == 0:
		return refuse(fault.Malformed, "image", "the request has no picture to edit")
	case len(r.given) > maxGiven:
		return refuse(fault.Malformed, "image", "the request has %d pictures; at most %d are taken", len(r.given), maxGiven)
	}
	return r.shape.check()
}

func (r *Request) fromJSON(body []byte) error {
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return refuse(fault.Malformed, "", "%s", err)
		}
		if wire.Null(m.Value) {
			continue
		}
		switch name := string(m.Name); name {
		case "prompt":
			if wire.Text(m.Value) == "" {
				return refuse(fault.Malformed, name, "prompt must be a text")
			}
			r.prompt = llm.Wire(m.Value)
		case "image", "images", "mask":
			if !r.edit {
				r.lose(name, "dropped: pictures that are given belong to "+Edits)
				continue
			}
			if err := r.pictures(name, m.Value); err != nil {
				return err
			}
		default:
			value := string(m.Value)
			if m.Value[0] == '"' {
				value = wire.Text(m.Value)
			}
			if err := r.set(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// pictures reads what a request in JSON begins with: a list or one, each an
// object or a URL alone.
func (r *Request) pictures(name string, v []byte) error {
	if v[0] != '[' {
		return r.picture(name, v)
	}
	i := 0
	for e, err := range jsonedit.Elements(v) {
		if err != nil {
			return refuse(fault.Malformed, name, "%s", err)
		}
		if err := r.picture(name+"["+strconv.Itoa(i)+"]", e); err != nil {
			return err
		}
		i++
	}
	return nil
}

func (r *Request) picture(at string, v []byte) error {
	if v[0] == '{' {
		if wire.Text(jsonedit.Get(v, "file_id")) != "" {
			return refuse(fault.Unsupported, at+".file_id", "a file that another provider holds cannot be read; send the picture itself")
		}
		v = jsonedit.Get(v, "image_url")
		if len(v) > 0 && v[0] == '{' { // as in a chat
			v = jsonedit.Get(v, "url")
		}
	}
	p, err := fromURL(at, v)
	if err != nil {
		return err
	}
	r.give(at, p)
	return nil
}

// give adds a picture. A mask that comes again replaces the one before.
func (r *Request) give(name string, p picture) {
	if strings.HasPrefix(name, "mask") {
		r.mask = &p
	} else {
		r.given = append(r.given, p)
	}
}

func (r *Request) fromForm(contentType string, body []byte) error {
	fields, err := form.Read(contentType, body)
	if err != nil {
		return refuse(fault.Malformed, "", "%s", err)
	}
	for i := range fields {
		f := &fields[i]
		name := strings.TrimSuffix(f.Name, "[]")
		switch {
		case f.File != "" && r.edit && (name == "mask" || name == "images" || numbered(name)):
			p, err := fromFile(f)
			if err != nil {
				return err
			}
			r.give(name, p)
		case f.File != "":
			r.lose(f.Name, "dropped: no such file belongs to the request")
		case !f.Plain():
			return refuse(fault.Malformed, f.Name, "%s is no text in UTF-8", f.Name)
		case name == "image" || name == "mask":
			return refuse(fault.Malformed, name, "%s must be a file", name)
		case name == "prompt":
			if len(f.Value) > 0 {
				r.prompt = llm.PlainBytes(f.Value)
			}
		case len(f.Value) > 0:
			if err := r.set(f.Name, f.Text()); err != nil {
				return err
			}
		}
	}
	return nil
}

// numbered reports whether name is image, or image and a number.
func numbered(name string) bool {
	rest, ok := strings.CutPrefix(name, "image")
	return ok && len(rest) <= 2 && strings.Trim(rest, "0123456789") == ""
}

// set takes a setting, in JSON or in a form.
func (r *Request) set(name, value string) error {
	switch name {
	case "user": // changes no picture
	case "model":
		r.model = value
	case "n":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > MaxPictures {
			return refuse(fault.Malformed, name, "n must be a whole number from 1 to %d", MaxPictures)
		}
		r.N = n
	case "size":
		r.shape.size = value
	case "aspect_ratio", "aspectRatio":
		r.shape.ratio = value
	case "quality":
		r.shape.quality = strings.ToLower(value)
	case "image_size", "imageSize":
		r.shape.exact = strings.ToUpper(value)
	case "response_format":
		if value != "url" && value != "b64_json" {
			return refuse(fault.Malformed, name, "response_format must be url or b64_json")
		}
		r.url = value == "url"
	case "output_format":
		if value != "png" && value != "jpeg" && value != "webp" {
			return refuse(fault.Malformed, name, "output_format must be png, jpeg or webp")
		}
		r.keep(name, value)
	case "background":
		if value != "auto" && value != "opaque" && value != "transparent" {
			return refuse(fault.Malformed, name, "background must be transparent, opaque or auto")
		}
		r.keep(name, value)
	case "stream":
		r.Stream = value == "true"
	case "partial_images":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > maxDrafts {
			return refuse(fault.Malformed, name, "partial_images must be a whole number from 0 to %d", maxDrafts)
		}
		r.drafts = n
	default:
		r.keep(name, value)
	}
	return nil
}

// keep keeps a setting of which each upstream makes what it can. Of repeated
// ones the last counts.
func (r *Request) keep(name, value string) {
	if i := slices.IndexFunc(r.settings, func(s setting) bool { return s.name == name }); i >= 0 {
		r.settings[i].value = value
		return
	}
	if len(r.settings) < maxLosses {
		r.settings = append(r.settings, setting{name, value})
	}
}
