# One account for each part of the fleet, which its pods use through workload identity, and one for nodes. None has a key,
# so that no state file holds a secret.

locals {
  workers = toset(["orchestrator", "renderer", "encoder"])
  # The chart's name for its service accounts.
  pods = trimsuffix(substr(var.release, 0, 20), "-")
}

resource "google_service_account" "worker" {
  for_each = local.workers

  account_id   = "${var.name}-${each.key}"
  display_name = "pixart-batch ${each.key}"
}

resource "google_service_account_iam_member" "pods" {
  for_each = local.workers

  service_account_id = google_service_account.worker[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.project}.svc.id.goog[${var.namespace}/${local.pods}-${each.key}]"

  # The identity pool is created with the first cluster.
  depends_on = [google_container_cluster.fleet]
}

module "grants" {
  source = "../grants"

  bucket  = google_storage_bucket.store.name
  members = merge(var.people, { for part in local.workers : part => [google_service_account.worker[part].member] })
}

# One permission each: a condition belongs to a binding and applies to its whole role.
resource "google_project_iam_custom_role" "store" {
  for_each = module.grants.roles

  role_id     = each.key
  title       = "pixart-batch: ${each.value}"
  permissions = [each.value]
}

resource "google_storage_bucket_iam_member" "store" {
  for_each = module.grants.bindings

  bucket = google_storage_bucket.store.name
  role   = google_project_iam_custom_role.store[each.value.role].name
  member = each.value.member

  dynamic "condition" {
    for_each = each.value.expression == null ? [] : [each.value]
    content {
      title      = condition.value.title
      expression = condition.value.expression
    }
  }
}

# The driver that mounts the bundles uses the pod's identity.
resource "google_storage_bucket_iam_member" "bundles" {
  for_each = toset(["renderer", "encoder"])

  bucket = google_storage_bucket.bundles.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.worker[each.key].member
}

resource "google_service_account" "node" {
  account_id   = "${var.name}-node"
  display_name = "pixart-batch nodes"
}

# Logs and metrics, and nothing else.
resource "google_project_iam_member" "node" {
  project = var.project
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.node.member
}

resource "google_artifact_registry_repository_iam_member" "node" {
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.node.member
}
