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
  # The Budget API takes no calls of a person's credentials otherwise.
  user_project_override = true
  billing_project       = var.project
}
