package tool

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"

	"slipway/internal/agent/glob"
)

// hashFiles prints the SHA-256 of the set of files that patterns name below the
// source's root. It is another one when a file's content or path is another,
// and the same in whatever order patterns name the files.
func hashFiles(c call) int {
	if len(c.args) == 0 {
		return c.misused("PATTERN…")
	}
	root := os.Getenv("CODEBUILD_SRC_DIR")
	if root == "" {
		var err error
		if root, err = os.Getwd(); err != nil {
			return c.fail("%v", err)
		}
	}
	files, err := find(root, c.args, true)
	if err != nil {
		return c.fail("%v", err)
	}
	if len(files) == 0 {
		return c.fail("no file matches %s", quoted(c.args))
	}
	all := sha256.New()
	for _, f := range files {
		sum, err := hashFile(f.Path)
		if err != nil {
			return c.fail("%v", err)
		}
		fmt.Fprintf(all, "%s\x00%x\n", f.Name, sum)
	}
	fmt.Fprintf(c.stdout, "%x\n", all.Sum(nil))
	return exitDone
}

func hashFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// globSearch prints the files that patterns name below the working directory,
// one a line.
func globSearch(c call) int {
	if len(c.args) == 0 {
		return c.misused("PATTERN…")
	}
	root, err := os.Getwd()
	if err != nil {
		return c.fail("%v", err)
	}
	files, err := find(root, c.args, false)
	if err != nil {
		return c.fail("%v", err)
	}
	for _, f := range files {
		fmt.Fprintln(c.stdout, f.Name)
	}
	return exitDone
}

// find returns the files that patterns name, in order of their names. The name
// of one that is not below root is its path.
func find(root string, patterns []string, follow bool) ([]glob.File, error) {
	var files []glob.File
	_, err := glob.Walk(context.Background(), glob.Options{Root: root, Patterns: patterns, Follow: follow}, func(f glob.File) error {
		if "/"+f.Name == f.Path {
			f.Name = f.Path
		}
		files = append(files, f)
		return nil
	})
	slices.SortFunc(files, func(a, b glob.File) int { return cmp.Compare(a.Name, b.Name) })
	return files, err
}
