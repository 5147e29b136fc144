package inside

import (
	"encoding/json"
	"os"

	"slipway/internal/agent/runas"
)

// User tells who a user is, by name or number.
const User = "user"

// A UserAnswer says whether commands can run as a user.
type UserAnswer struct {
	UID int `json:"uid"` // the user's
	Own int `json:"own"` // that by which commands run anyway
}

func findUser(request []byte) (any, error) {
	var name string
	if err := json.Unmarshal(request, &name); err != nil {
		return nil, err
	}
	who, err := runas.Find(name)
	if err != nil {
		return nil, err
	}
	return UserAnswer{UID: who.UID, Own: os.Geteuid()}, nil
}
