locals {
  used = ["artifactregistry", "compute", "container", "iam", "storage"]
}

resource "google_project_service" "used" {
  for_each = toset([for service in concat(local.used, var.budget == null ? [] : ["billingbudgets"]) : "${service}.googleapis.com"])

  service = each.key
  # Others in the project may use it too.
  disable_on_destroy = false
}

data "google_project" "this" {
  project_id = var.project
}

resource "google_artifact_registry_repository" "images" {
  repository_id = var.name
  location      = var.region
  format        = "DOCKER"
  description   = "Container images of pixart-batch"

  docker_config {
    # A tag that moved to another image would mix versions within a batch.
    immutable_tags = true
  }

  depends_on = [google_project_service.used]
}

resource "google_billing_budget" "project" {
  count = var.budget == null ? 0 : 1

  billing_account = var.budget.billing_account
  display_name    = "pixart-batch: ${var.project}"

  budget_filter {
    projects        = ["projects/${data.google_project.this.number}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      units         = var.budget.amount
      currency_code = var.budget.currency
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  depends_on = [google_project_service.used]
}
