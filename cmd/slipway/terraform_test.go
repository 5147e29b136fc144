package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

const infrastructure = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "value" {}
provider "aws" {
  skip_metadata_api_check = true
}
resource "aws_ssm_parameter" "token" {
  name        = "/app/token"
  type        = "SecureString"
  value       = "token-${var.value}"
  description = "for ${var.value}"
  tags        = { team = var.value }
}
resource "aws_ssm_parameter" "stages" {
  name            = "stages"
  type            = "StringList"
  value           = "test,prod"
  allowed_pattern = "^[a-z,]+$"
}
resource "aws_secretsmanager_secret" "db" {
  name                    = "app/db"
  description             = "database of ${var.value}"
  recovery_window_in_days = 0
  tags                    = { team = "shop" }
}
resource "aws_secretsmanager_secret_version" "db" {
  secret_id     = aws_secretsmanager_secret.db.id
  secret_string = jsonencode({ password = var.value })
}
data "aws_ssm_parameter" "token" {
  name = aws_ssm_parameter.token.name
}
data "aws_secretsmanager_secret_version" "db" {
  secret_id  = aws_secretsmanager_secret.db.id
  depends_on = [aws_secretsmanager_secret_version.db]
}
output "both" {
  value = nonsensitive("${data.aws_ssm_parameter.token.value} ${data.aws_secretsmanager_secret_version.db.secret_string}")
}
`

// TestTerraformKeepsSecrets has Terraform make, find unchanged, change and
// destroy parameters and secrets, with AWS's provider as it is. That comes from
// the internet, so it is skipped where it is not installed.
func TestTerraformKeepsSecrets(t *testing.T) {
	program, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("Terraform is not installed")
	}
	s := serve(t, "--runner", "none")
	sh := newShell(s, awsCLI{})
	sh.write("main.tf", infrastructure)
	terraform := func(args ...string) (string, int) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, append(args, "-no-color")...)
		cmd.Dir = sh.dir
		cmd.Env = append(os.Environ(), append(sh.env, "HOME="+os.Getenv("HOME"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")...)
		out, _ := cmd.CombinedOutput() // its exit code says how it went
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := terraform("init", "-input=false"); code != 0 {
		t.Skipf("Terraform has no provider hashicorp/aws: %s", out)
	}
	works := func(want string, args ...string) {
		t.Helper()
		if out, code := terraform(args...); code != 0 || !strings.Contains(out, want) {
			t.Fatalf("terraform %s: exit code %d, want %q:\n%s", strings.Join(args, " "), code, want, out)
		}
	}
	works(`both = "token-one {\"password\":\"one\"}"`, "apply", "-auto-approve", "-var", "value=one")
	works("No changes.", "plan", "-detailed-exitcode", "-var", "value=one")
	works(`both = "token-two {\"password\":\"two\"}"`, "apply", "-auto-approve", "-var", "value=two")
	works("No changes.", "plan", "-detailed-exitcode", "-var", "value=two")
	if got := s.held("app/db"); got != `{"password":"two"}` {
		t.Errorf("the secret is %s", got)
	}
	works("Destroy complete! Resources: 4 destroyed.", "destroy", "-auto-approve", "-var", "value=two")
	s.expects(0, "", words("secret list"), "There are no parameters and no secrets.")
}
