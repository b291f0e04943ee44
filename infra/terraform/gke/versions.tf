terraform {
  # Terraform and OpenTofu.
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "7.45.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
  # Without this the Budget API rejects calls with a person's credentials.
  user_project_override = true
  billing_project       = var.project
}
